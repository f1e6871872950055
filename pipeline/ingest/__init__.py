"""From a source to an index in one call: encoded, then loaded, or brought up to date where it is there."""
