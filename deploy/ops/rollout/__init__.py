"""Rollout of models' servers: a new image or other models for one server first, which has to give known answers.

Objects are changed by patches of the API rather than by KServe's SDK: that brings 67 packages and cannot share a
process with the models' client, and all that is changed is a field or two.
"""
