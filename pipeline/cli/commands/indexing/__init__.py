"""Commands that fill an index: `index`, `encode`, `load`, `reterm`, `scenes`, `stats`."""
