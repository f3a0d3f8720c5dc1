"""What the clients of other systems make of this server's answers: clients.py URL"""

import sys

import numpy
import requests
import tritonclient.http
from huggingface_hub import InferenceClient

URL = sys.argv[1]
TEXT = "Where is my order A-10293? This is the third time I ask!"


def hugging_face():
    labels = InferenceClient(model=f"{URL}/pipeline/text-classification").text_classification(TEXT, top_k=3)
    assert len(labels) == 3 and labels[0].label == "track_order" and 0 <= labels[0].score <= 1, labels
    feelings = InferenceClient(model=f"{URL}/pipeline/sentiment-analysis").text_classification("I love it, thank you so much")
    assert feelings[0].label == "positive", feelings
    found = InferenceClient(model=f"{URL}/pipeline/token-classification").token_classification(TEXT)
    assert any(entity.entity_group == "order_number" and entity.word == "A-10293" and TEXT[entity.start : entity.end] == entity.word for entity in found), found


def triton(binary):
    client = tritonclient.http.InferenceServerClient(URL.removeprefix("http://"))
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("storefront-en")
    assert client.get_model_metadata("storefront-en")["inputs"][0]["name"] == "text"
    texts = numpy.array([TEXT.encode(), "grüezi".encode()], dtype=numpy.object_)
    tensor = tritonclient.http.InferInput("text", [2], "BYTES")
    tensor.set_data_from_numpy(texts, binary_data=binary)
    outputs = [tritonclient.http.InferRequestedOutput(name, binary_data=binary) for name in ("intent", "intent_score", "sentiment_score")]
    answer = client.infer("storefront-en", [tensor], outputs=outputs, request_id="7")
    assert answer.get_response()["id"] == "7"
    intents = answer.as_numpy("intent")
    assert intents.shape == (2,) and intents[0] in ("track_order", b"track_order"), intents
    assert answer.as_numpy("intent_score").dtype == numpy.float32 and answer.as_numpy("sentiment_score")[0] < 0


def rasa():
    answer = requests.post(f"{URL}/model/parse", json={"text": TEXT, "message_id": "b2831e73-1407-4ba0-a861-0f30a42a2a5a"}, timeout=10)
    answer.raise_for_status()
    parsed = answer.json()
    assert parsed["intent"]["name"] == "track_order" and parsed["intent"]["confidence"] > 0.5, parsed
    assert parsed["entities"][0]["entity"] == "order_number" and parsed["entities"][0]["value"] == "A-10293", parsed


for name, check in [("huggingface_hub", hugging_face), ("tritonclient, binary", lambda: triton(True)), ("tritonclient, JSON", lambda: triton(False)), ("rasa", rasa)]:
    check()
    print(f"{name}: well")
