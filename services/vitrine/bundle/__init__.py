"""Bundles: what training hands to serving. One folder of safe formats, verified as a whole before it is used."""

from vitrine.bundle.attached import AttachedBundle, CatalogView
from vitrine.bundle.item_item import ItemItem
from vitrine.bundle.loader import Bundle, load_bundle
from vitrine.bundle.manifest import SCHEMA_VERSION, DatasetRef, FileEntry, Manifest, TrainingWindow
from vitrine.bundle.writer import write_bundle
from vitrine.content.model import ContentModel

__all__ = [
    "SCHEMA_VERSION",
    "AttachedBundle",
    "Bundle",
    "CatalogView",
    "ContentModel",
    "DatasetRef",
    "FileEntry",
    "ItemItem",
    "Manifest",
    "TrainingWindow",
    "load_bundle",
    "write_bundle",
]
