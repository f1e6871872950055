"""The index that is there: its alias, what it shows, what differs from the shards, and mending it in place."""
