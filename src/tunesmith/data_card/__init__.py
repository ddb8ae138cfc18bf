"""The data card: what is known of the data a model is trained on, computed from the data itself."""

from tunesmith.data_card.card import DataCard
from tunesmith.data_card.facts import FeatureFacts, Spread

__all__ = ["DataCard", "FeatureFacts", "Spread"]
