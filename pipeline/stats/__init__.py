"""Statistics of a collection's terms, and a report of their health."""
