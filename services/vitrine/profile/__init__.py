"""What is known of shoppers: events in, durable and counted once; profiles out, one look-up each."""

from vitrine.profile.book import ItemLookup
from vitrine.profile.commit import Recorded
from vitrine.profile.profiles import Profiles

__all__ = ["ItemLookup", "Profiles", "Recorded"]
