"""The text side: sentences to pooled features.

Read word_bag.py (the model of lexel-tiny), word_vectors.py (GloVe and the like), gru.py (VSE++'s) and text_models.py
(`transformers` models, and any of them built from a config).
"""
