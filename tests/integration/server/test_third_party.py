"""Somebody else's plugin: built, installed, served, learned from, and taken away again."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.support.installed import ROOT
from tests.support.overlay import Overlay, make_overlay
from tests.support.world import AS_OF, World
from vitrine.api.recommendation.v1.recommendation_pb2 import RecommendResponse
from vitrine.app.process import ServerProcess
from vitrine.client import Vitrine
from vitrine.errors import ConfigError

PACKAGE = ROOT / "tests" / "third_party" / "vitrine-cheapest-shelf"
NAME, COLUMN = "cheapest_shelf", "plugin:cheapest_shelf.cheapness"
# One line puts it in a scene.
LINE = f"scenes.new_arrivals.weights.{NAME} = 0.5\n"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where its wheel lies, once it is built."""
    return tmp_path_factory.mktemp("wheels")


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Overlay:
    """An environment with the plugin."""
    folder = tmp_path_factory.mktemp("third_party")
    made = make_overlay(folder / "venv")
    source = folder / PACKAGE.name
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
    built = made.run(made.scripts / "pip", "wheel", "--no-deps", "--wheel-dir", wheels, source, cwd=folder)
    assert built.returncode == 0, built.stderr
    install(made, wheels)
    return made


def install(overlay: Overlay, wheels: Path) -> None:
    (wheel,) = wheels.glob("*.whl")
    done = overlay.run(overlay.scripts / "pip", "install", wheel, cwd=wheels)
    assert done.returncode == 0, done.stderr


def uninstall(overlay: Overlay, where: Path) -> None:
    done = overlay.run(overlay.scripts / "pip", "uninstall", "--yes", PACKAGE.name, cwd=where)
    assert done.returncode == 0, done.stderr


class Shop:
    """A server of the world's shop in that environment, with some lines of configuration."""

    def __init__(self, overlay: Overlay, world: World, folder: Path) -> None:
        self._overlay, self.bundle = overlay, world.bundle
        self._store = world.fresh_store(folder / "store")
        self._config, self.log = folder / "shop.toml", folder / "log"

    def configure(self, text: str) -> Path:
        self._config.write_text(text, "utf-8")
        return self._config

    @contextmanager
    def serving(self) -> Iterator[ServerProcess]:
        """While it serves; shows what it logged where it does not."""
        server = self.server()
        try:
            server.start()
        except ConfigError as error:
            pytest.fail(f"{error}\n{self.log.read_text('utf-8')}")
        try:
            yield server
        finally:
            server.stop()

    def server(self) -> ServerProcess:
        return ServerProcess(
            bundle=self.bundle,
            store=self._store,
            as_of=AS_OF,
            args=("--config", str(self._config)),
            log=self.log,
            python=self._overlay.python,
        )


def window(server: ServerProcess, who: str, scene: str = "new_arrivals") -> RecommendResponse:
    with Vitrine(server.address) as shop:
        # The first call of a busy machine may be late, and then says so.
        for _ in range(5):
            answer = shop.recommend(who, scene, 20, include_scores=True, timeout=20)
            if not any(part.component.endswith(NAME) for part in answer.degraded):
                break
        return answer


def scores(answer: RecommendResponse) -> list[float]:
    """What the plugin said of the items of a window."""
    return [item.scores[NAME] for item in answer.items if NAME in item.scores]


def parts(answer: RecommendResponse) -> set[str]:
    """What was missing in a window; here at least the networks, which are not trained."""
    return {part.component for part in answer.degraded}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_passes_its_own_tests_where_it_is_installed(overlay: Overlay, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    done = overlay.run(overlay.scripts / "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_line_puts_it_in_a_window_and_without_it_nothing_breaks(
    overlay: Overlay, wheels: Path, world: World, tmp_path: Path
) -> None:
    shop, (who,) = Shop(overlay, world, tmp_path), world.shoppers(1)
    shop.configure(LINE)
    with shop.serving() as server:
        with_it = window(server, who)
    assert not with_it.degraded
    assert (NAME, "2.3.4") in {(p.name, p.version) for p in with_it.versions.plugins}
    said = np.array(scores(with_it))
    assert len(said) >= 10
    assert ((said > 0) & (said <= 1)).all()
    assert len(set(said.tolist())) > 3

    uninstall(overlay, tmp_path)
    try:
        # A name that nothing installed has is refused, before anything is served.
        with pytest.raises(ConfigError, match="ended at once with code 1"):
            shop.server().start()
        (last,) = [line for line in shop.log.read_text("utf-8").splitlines() if line.startswith("vitrine: ")]
        assert "scenes.new_arrivals.weights" in last
        assert f"'{NAME}'" in last

        shop.configure("")
        with shop.serving() as server:
            without = window(server, who)
        assert without.items
        assert not without.degraded
        assert not scores(without)
    finally:
        install(overlay, wheels)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_runs_in_a_process_of_its_own_with_one_more_line(
    overlay: Overlay, world: World, tmp_path: Path
) -> None:
    shop, (who,) = Shop(overlay, world, tmp_path), world.shoppers(1)
    answers = []
    for more in ("", f'plugins.{NAME}.isolation = "process"\nplugins.{NAME}.budget_ms = 1000\n'):
        shop.configure(LINE + more)
        with shop.serving() as server:
            answers.append(window(server, who))
    assert not answers[1].degraded
    assert [item.item_id for item in answers[0].items] == [item.item_id for item in answers[1].items]
    np.testing.assert_allclose(scores(answers[0]), scores(answers[1]), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_reranker_learns_from_its_column(
    overlay: Overlay, wheels: Path, world: World, tmp_path: Path
) -> None:
    shop, (who,) = Shop(overlay, world, tmp_path), world.shoppers(1)
    config = shop.configure(f'features = ["{NAME}"]\n')
    shop.bundle = tmp_path / "bundle"
    done = overlay.run(
        *(overlay.scripts / "vitrine", "train", world.data, "--no-neural"),
        *("--config", config, "--out", shop.bundle, "--label-windows", "1", "--no-validate"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((shop.bundle / "manifest.json").read_text("utf-8"))
    assert f"{COLUMN}:f4:7" in manifest["models"]["lightgbm"]["features"]

    # Serving knows from the bundle what it needs.
    shop.configure("")
    with shop.serving() as server:
        missing = parts(window(server, who, "home"))
    assert not any(NAME in part for part in missing)
    uninstall(overlay, tmp_path)
    try:
        with shop.serving() as server:
            without = window(server, who, "home")
        assert len(without.items) == 20
        assert parts(without) == missing | {f"features:{NAME}"}
    finally:
        install(overlay, wheels)
