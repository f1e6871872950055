"""The text side: text models and word vectors."""
