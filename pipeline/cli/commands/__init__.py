"""What each command of `lexel` takes and prints, by what people want of it; `lexel.pipeline.cli.main` is the table."""
