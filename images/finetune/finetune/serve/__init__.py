"""serve: a registered model behind OpenAI's protocol, and the check that it is the model that was trained."""
