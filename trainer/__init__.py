"""Learning: the same scores as rewards.

reward_mix      what an answer earns: tasks, plugins, mixes, in worker processes
adapters/       the same rewards for TRL, verl, verifiers, open-instruct
rewards         all of these in one place
groups          answers to one prompt, unmeasured rewards left out
advantages      group z-score, centred, RLOO, REINFORCE++-baseline, regression weights
losses/         GRPO, DAPO, Dr.GRPO, GSPO, CISPO, GMPO, …; divergence, sampler correction, critic; SFT, DPO, KTO
critic_alarms   when a generative critic must no longer teach
shaping         what length does to a reward
resets          when the reference moves up to the policy, and what becomes of the optimizer
sampling        dynamic sampling within a budget
mixture         whose prompts come next

recipe          everything that decides what training does, as one YAML file; recipes/ are those that come along
train           evalkit train: gather, learn, save; log holds what it writes, forecast says what it will need
methods/        what a method of training is, and the trainer that runs any: one step is `Trainer.train_step`
base_model      from a model string to weights that can be trained
policy          the model with its adapters; sampler asks it, step learns from weighted answers
prompts         what is asked, as the model's own tokens; rollouts what was answered; scoring what it earned
gmpo            the generative critic at work
checkpoint      everything that the next step depends on
chats           chats to be learned as they stand; sft learns them; selection keeps the best sampled answers
trackers        the metrics for TensorBoard, W&B, MLflow
parallel        several processes that train one adapter
monitors        signs that a reward is being gamed
loop            evalkit loop: measure, learn, measure; overlap and acceptance are its parts
"""
