"""Commands about shards and indices: `index`, `encode`, `load`, `reterm`, `scenes`, `stats`."""
