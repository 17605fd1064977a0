"""A server as it is installed to serve: nothing that trains, and every model runs."""

import json
from pathlib import Path

import pytest

from tests.support.installed import build_wheel, fresh_environment, run
from tests.support.world import AS_OF, World
from vitrine.config import load_config

TRAINING = ("torch", "sklearn", "matplotlib", "onnx", "onnxscript")

# Runs in the fresh environment: a server as a process of its own, and a client that asks for every scene.
ASK = """
import importlib.util, json, sys
from pathlib import Path
from vitrine.app.process import ServerProcess
from vitrine.client import Vitrine

bundle, store, as_of, who, scenes = json.loads(sys.argv[1])
there = [name for name in %r if importlib.util.find_spec(name)]
told = {}
with ServerProcess(bundle=Path(bundle), store=Path(store), as_of=as_of, log=Path(store) / "log") as server:
    with Vitrine(server.address) as shop:
        models = {m.name: m.provider for m in shop.get_bundle().models}
        seed = [i.item_id for i in shop.recommend(who, "home", 3, timeout=20).items]
        for scene in scenes:
            window = shop.recommend(
                who, scene, 5, item_ids=seed[:1] if scene == "item_page" else (),
                basket=seed if scene == "cart" else (), query="coffee" if scene == "search" else "",
                include_scores=True, timeout=20,
            )
            told[scene] = {
                "items": len(window.items),
                "degraded": [f"{d.component}: {d.message}" for d in window.degraded],
                "rankers": [p.name for p in window.versions.plugins],
                "scores": sorted({name for item in window.items for name in item.scores}),
            }
print(json.dumps({"training": there, "models": models, "scenes": told}))
"""


@pytest.fixture(scope="module")
def server_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of a fresh environment with the extra `cpu` and the tested versions."""
    folder = tmp_path_factory.mktemp("server")
    return fresh_environment(folder / "venv", f"{build_wheel(folder)}[cpu]", timeout=500)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_scene_and_model_is_served_without_what_trains(
    server_only: Path, world: World, tmp_path: Path
) -> None:
    scenes = load_config().scenes
    asked = [
        str(world.bundle),
        str(world.fresh_store(tmp_path / "store")),
        AS_OF,
        world.shoppers(1)[0],
        list(scenes),
    ]
    done = run(server_only, "python", "-c", ASK % (TRAINING,), json.dumps(asked), timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["training"] == []
    trained = set(json.loads((world.bundle / "manifest.json").read_text("utf-8"))["models"])
    assert {"interest", "deep", "lightgbm"} <= trained
    assert told["models"] == dict.fromkeys(trained, "cpu")
    for name, scene in told["scenes"].items():
        assert scene["items"], name
        assert not scene["degraded"], name
        assert {"cf", "content"} | trained <= set(scene["rankers"]), name
        if wanted := scenes[name].reranker:
            assert wanted in scene["scores"], name
