"""What training can be told. The defaults hold for all kinds of data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankerSettings:
    """Settings of the trees that decide the order.

    Attributes:
        leaves: Leaves of a tree.
        learning_rate: How much each tree says.
        rounds: At most so many trees; each costs time in every request.
        l2: Ridge on the values of leaves.
        feature_share: Share of the columns that a tree may look at.
        rows_a_leaf: A leaf holds at least one in so many rows, within bounds: fewer tell more of these lists than of
            the next ones.
        negatives: Candidates without a label that are kept of each list.
        objective: What trees learn: "lambdarank", the order of pairs; "binary", of each candidate whether it is taken,
            which is less at the mercy of single labels where a list has many.
        start: Whether trees begin where the weights of the scene leave off, instead of from nothing.
    """

    leaves: int = 31
    learning_rate: float = 0.05
    rounds: int = 150
    l2: float = 5.0
    feature_share: float = 0.5
    rows_a_leaf: int = 1000
    negatives: int = 100
    objective: str = "lambdarank"
    start: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Settings of training.

    Attributes:
        dimensions: Length of a content vector.
        neighbours: For each item, how many items may lead to it.
        half_life_days: Age at which an interaction counts half.
        max_history: Interactions of a shopper that count; the strongest and latest.
        session_gap_minutes: A pause of this length ends a visit.
        ridge: Ridge of the linear model, in multiples of the mean squared norm of an item's column; chosen on the
            last weeks of the window when not told.
        content_share: How much likeness of content counts in the linear model, in multiples of the ridge.
        holdout: What rankers of rankers learn to foresee (`vitrine_export.exams.HOLDOUTS`): "weeks", the last ones;
            "last", the last item of each shopper; "share", a share of each one's items; "subjects", what whole shoppers
            turn to next.
        max_ease_items: Up to so many items the linear model is solved in closed form; beyond, item by item.
        factors: Rank of the factors, for data of which whole groups of items say something; 0: none.
        follows_exponent: Power of how much followed an item, by which what followed it is divided: 1 gives
            probabilities, ½ believes items more that much is known of.
        max_features: Words and n-grams that content vectors know.
        validate: Whether to measure on the last weeks of the window, on a model fitted to what came before.
        neural: Whether to train the networks: the interest model and the deep ranker.
        rerank: Whether to train the reranker, for which base models are fitted again before each label window.
        label_windows: How many label windows there are; fewer where the data is short.
        label_lists: At most so many lists of a scene and a label window; fewer where all would hold more than eight
            million candidates.
        device: Where networks are trained: "auto", "cpu" or "cuda".
        reranker: Settings of the reranker.
        interest_epochs: The most rounds over the history that one fit of the interest model makes.
        interest_minutes: How long one fit of the interest model may take.
        trials: How many settings of the reranker training tries by itself, those above included; 0: none but them.
        tune_minutes: No trial begins that would probably end later than so many minutes after the first.
    """

    dimensions: int = 64
    neighbours: int = 100
    half_life_days: float = 90.0
    max_history: int = 500
    session_gap_minutes: float = 30.0
    ridge: float | None = None
    content_share: float = 0.0
    holdout: str = "weeks"
    max_ease_items: int = 12_000
    factors: int = 0
    follows_exponent: float = 1.0
    max_features: int = 100_000
    validate: bool = True
    neural: bool = True
    rerank: bool = True
    label_windows: int = 3
    label_lists: int = 3000
    device: str = "auto"
    reranker: RerankerSettings = RerankerSettings()
    interest_epochs: int = 6
    interest_minutes: float | None = None
    trials: int = 0
    tune_minutes: float | None = None


DEFAULTS = Parameters()
