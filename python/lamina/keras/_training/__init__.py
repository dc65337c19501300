"""What stands behind the models: doors that check data, the loops of fit, evaluate and predict, the
summary.
"""
