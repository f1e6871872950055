"""Training tasks: schedule.py and loop.py (the training loop), losses.py, recall.py (validation), dense_teacher.py,
head_task.py (heads), tower_task.py (projections of a pair) and dual_encoder_task.py (fine-tuning end to end).
"""
