"""Commands that search an index or show what a search uses: `search`, `terms`, `explain`, `serve`, `dashboards`."""
