"""What is known to be wrong with an image's components: one file a source, behind one interface."""

from security.advisories.assessing import assess
from security.advisories.sources import default_sources

__all__ = ["assess", "default_sources"]
