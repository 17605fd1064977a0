from pathlib import Path

import pytest

from vitrine.config import load_config, read_config
from vitrine.errors import ConfigError


def test_defaults_hold_the_six_scenes() -> None:
    config = load_config()
    assert set(config.scenes) == {"home", "item_page", "cart", "search", "new_arrivals", "buy_again"}


def test_a_model_that_hangs_leaves_its_stage_the_time_to_answer() -> None:
    config = load_config()
    times, budget = config.recommendation, config.inference.budget
    left = (times.default_deadline_ms - times.margin_ms) / 1000 * (1 - times.profile_share)
    # Retrieval waits for the interest model, ranking for that and the deep ranker.
    assert budget < 0.6 * left * times.retrieval_share
    assert 2 * budget < 0.8 * (left - budget)


def test_file_is_merged_key_by_key(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(
        "seed = 5\n[scenes.home]\ndiversity = 0.5\n[scenes.home.sources]\ntrending = 0\n", "utf-8"
    )
    config = load_config(file)
    home, default = config.scenes["home"], load_config().scenes["home"]
    assert config.seed == 5
    assert home.diversity == 0.5
    assert home.weights == default.weights
    assert set(default.active_sources) - set(home.active_sources) == {"trending"}
    assert config.fingerprint != load_config().fingerprint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sed = 1", "unknown key 'sed'; did you mean 'seed'?"),
        ("[profile]\nmax_item = 3", "unknown key 'profile.max_item'; did you mean 'max_items'?"),
        ("[scenes.home]\nwieghts = {}", "unknown key 'scenes.home.wieghts'; did you mean 'weights'?"),
        ("[scenes.home.rules]\nmax_a_brand = 2", "unknown key 'scenes.home.rules.max_a_brand'"),
        ("[scenes.mine]\nsources = {}", "'scenes.mine.weights': Field required"),
        ("[profile]\nmax_items = 0", "'profile.max_items': Input should be greater than or equal to 1"),
        (
            "[scenes.home.weights]\ncf = nan",
            "'scenes.home.weights.cf': Input should be a finite number",
        ),
        ("[scenes.home]\ndiversity = nan", "'scenes.home.diversity': Input should be"),
        ("[profile]\nlong_half_life_days = inf", "'profile.long_half_life_days': Input should be a finite"),
        ("[retrieval]\nnew_arrival_days = inf", "'retrieval.new_arrival_days': Input should be a finite"),
        (
            "[scenes.home.rules]\npurchased_within_days = inf",
            "'scenes.home.rules.purchased_within_days': Input should be a finite number",
        ),
        ("[recommendation]\nmargin_ms = inf", "'recommendation.margin_ms': Input should be a finite number"),
        ("seed = ", "not a valid TOML file"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"shop\.toml") as caught:
        load_config(file)
    assert expected in str(caught.value)


def test_all_mistakes_are_named_at_once_and_what_is_right_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(
        "sed = 1\nfeatures = [3]\n[profile]\nmax_items = 0\nmax_keys = 3\n"
        "[scenes.home]\ndiversity = 2\n[scenes.home.weights]\ncf = nan\nmine = 1.0\n[scenes.new]\nsources = {}\n"
        "[plugins.mine]\nalpha = 1",
        "utf-8",
    )
    config, wrong = read_config(file)
    for key in ("sed", "features.0", "profile.max_items", "scenes.home.diversity", "scenes.home.weights.cf"):
        assert any(f"'{key}'" in line for line in wrong), key
    assert len(wrong) == 7
    assert any("(settings of its own stand under [plugins.mine.settings])" in line for line in wrong)
    assert config.profile.max_keys == 3
    assert config.profile.max_items == load_config().profile.max_items
    assert config.scenes["home"].weights["mine"] == 1
    assert "new" not in config.scenes
    assert not read_config(None)[1]


def test_two_mistakes_of_one_place_hide_none_elsewhere(tmp_path: Path) -> None:
    """A scene that lacks two things is put aside once, and not all scenes with it."""
    path = tmp_path / "shop.toml"
    path.write_text('[scenes.push]\ncandidates = 0\n[scenes.home]\nreranker = "mine"\n', "utf-8")
    config, wrong = read_config(path)
    assert len(wrong) == 3, wrong
    assert config.scenes["home"].reranker == "mine"


@pytest.mark.parametrize("text", ["scenes = 5", "plugins = []", "scenes.home = 1", "scenes.home.rules = 2"])
def test_a_value_in_place_of_a_table_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "shop.toml").write_text(text, "utf-8")
    config, wrong = read_config(tmp_path / "shop.toml")
    assert len(wrong) == 1
    assert text.split(" ", maxsplit=1)[0] in wrong[0]
    assert config == load_config()


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: no such configuration file"):
        load_config(tmp_path / "nowhere.toml")


def test_a_changed_copy_forgets_what_was_derived_from_the_old_values() -> None:
    config = load_config()
    home = config.scenes["home"]
    assert "cf" in home.rankers
    other = home.model_copy(update={"weights": {"content": 1.0}})
    assert other.rankers == ("content",)
    assert config.model_copy(update={"scenes": {"home": other}}).fingerprint != config.fingerprint
