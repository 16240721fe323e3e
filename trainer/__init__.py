"""Learning: the scores of tasks as rewards. One step of it is `methods.trainer.Trainer.train_step`."""
