"""What training writes besides the weights: calibration.py, learning_curves.py, model_card.py, and
write.py, which writes these to the encoder's folder; training_id.py has the hash by which a training is resumed.
"""
