"""Bundles: what training hands to serving. One folder of safe formats, verified as a whole before it is used."""

from vitrine.bundle.attached import AttachedBundle, CatalogView
from vitrine.bundle.entries import DatasetRef, FileEntry, ModelEntry, TrainingWindow
from vitrine.bundle.factors import Factors
from vitrine.bundle.interest import InterestTable
from vitrine.bundle.item_item import ItemItem
from vitrine.bundle.loader import Bundle, load_bundle
from vitrine.bundle.manifest import SCHEMA_VERSION, Manifest
from vitrine.bundle.model_file import ModelFile
from vitrine.bundle.models import Model
from vitrine.bundle.shoppers import Shoppers
from vitrine.bundle.visits import Visits
from vitrine.bundle.writer import write_bundle
from vitrine.content.model import ContentModel

__all__ = [
    "SCHEMA_VERSION",
    "AttachedBundle",
    "Bundle",
    "CatalogView",
    "ContentModel",
    "DatasetRef",
    "Factors",
    "FileEntry",
    "InterestTable",
    "ItemItem",
    "Manifest",
    "Model",
    "ModelEntry",
    "ModelFile",
    "Shoppers",
    "TrainingWindow",
    "Visits",
    "load_bundle",
    "write_bundle",
]
