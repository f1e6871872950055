"""Commands that ask an index: `search`, `terms`, `explain`, `serve`, `dashboards`."""
