"""Time for rankers and their models on a busy machine, where one call of thousands waits longer for its turn than is usual."""

RANKERS = ("cf", "content", "interest", "deep", "lightgbm")

# Part of a configuration, for tests of something else: what they ask for must not lack a ranker that came late.
PATIENCE = "\n[inference]\nbudget_ms = 2000\n" + "".join(
    f"\n[plugins.{name}]\nbudget_ms = 2000\n" for name in RANKERS
)
