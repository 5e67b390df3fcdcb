"""`method: bayes`: a Gaussian process is fitted to what the runs showed and says where the next one pays most.

In: points of the unit cube, losses, failures, points under way, a seed. Out: the next point and why it was chosen.
Pure: the same runs and the same seed give the same point; nothing that is kept between two asks changes an answer.
"""
