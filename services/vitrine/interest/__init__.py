"""What a shopper is interested in, as vectors: made by a neural encoder out of what the shopper did."""

from vitrine.interest.inputs import Shoppers, encoder_inputs, history_weights, shoppers_of
from vitrine.interest.model import InterestModel, Interests

__all__ = ["InterestModel", "Interests", "Shoppers", "encoder_inputs", "history_weights", "shoppers_of"]
