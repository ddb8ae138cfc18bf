"""Priors by hyperparameter name: cards with a location, a spread and a source."""

from tunesmith.agent.knowledge.cards import (
    Card,
    Categories,
    Knowledge,
    Located,
    cards_for,
    find_card,
    find_cards,
    load_knowledge,
)

__all__ = [
    "Card",
    "Categories",
    "Knowledge",
    "Located",
    "cards_for",
    "find_card",
    "find_cards",
    "load_knowledge",
]
