"""Data for training: sources, splits made before augmentation, and an audit that looks for copies across them."""

from __future__ import annotations

from builders.data.augment import Augment, parse_augment
from builders.data.findings import Audit
from builders.data.items import Items, Prepared, Stored
from builders.data.leaks import audit
from builders.data.prepare import prepare

__all__ = ["Audit", "Augment", "Items", "Prepared", "Stored", "audit", "parse_augment", "prepare"]
