"""What is known of shoppers: events in, durable and counted once; profiles out, one look-up each."""

from vitrine.profile.book import ItemLookup
from vitrine.profile.commit import Recorded
from vitrine.profile.profiles import Profiles
from vitrine.profile.replay import ProfileBuilder, replay

__all__ = ["ItemLookup", "ProfileBuilder", "Profiles", "Recorded", "replay"]
