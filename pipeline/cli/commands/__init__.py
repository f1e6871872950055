"""The commands of `lexel`, one module each; `lexel.pipeline.cli.main` lists them."""
