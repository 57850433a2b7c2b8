import attrs
import boto3
import limner
import pytest
from limner_bedrock import BedrockSettings


def test_defaults():
    settings = BedrockSettings()
    assert (settings.timeout, settings.connect_timeout, settings.max_attempts, settings.stream) == (300, 10, 4, False)
    assert settings.parameters() == {}


def test_texts_of_the_command_line():
    given = {"region": "us-west-2", "timeout": "90", "connect_timeout": "2.5", "max_attempts": "2", "stream": "true"}
    settings = BedrockSettings.of(given | {"request_metadata": '{"team": "press"}'})
    assert (settings.timeout, settings.connect_timeout, settings.max_attempts, settings.stream) == (90, 2.5, 2, True)
    assert settings.parameters() == {"requestMetadata": '{"team":"press"}'}


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("region", "US West", "us-west-2"),
        ("region", "", "us-west-2"),
        ("profile", "", "default"),
        ("endpoint_url", "localhost:8080", "http://127.0.0.1:8080"),
        ("endpoint_url", "ftp://host", "URL"),
        ("endpoint_url", "http://[", "http://127.0.0.1:8080"),
        ("endpoint_url", "http://127.0.0.1:99999", "http://127.0.0.1:8080"),
        ("endpoint_url", "http://127.0.0.1:port", "http://127.0.0.1:8080"),
        ("session", "default", "boto3.Session"),
        ("connect_timeout", "soon", "number of seconds"),
        ("connect_timeout", 0, ""),
        ("max_attempts", 0, ""),
        ("max_attempts", 2.5, "integer"),
        ("max_attempts", "2.5", "integer"),
        ("stream", "perhaps", ""),
        ("guardrail_id", "My Guardrail", "gr1abc23def4"),
        ("guardrail_version", "0", "1 or DRAFT"),
        ("guardrail_version", "draft", "1 or DRAFT"),
        ("trace", "on", "ENABLED"),
        ("trace", "", "ENABLED"),
        ("service_tier", "cheap", "flex"),
        ("performance_latency", "fast", "optimized"),
        ("request_metadata", "team", "JSON object"),
        ("request_metadata", {}, "1 to 16"),
        ("request_metadata", {str(n): "x" for n in range(17)}, "1 to 16"),
        ("request_metadata", {"team": 1}, "strings"),
        ("request_metadata", {"a": "é"}, "letters"),
        ("request_metadata", "[1]", "1 to 16"),
        ("regoin", "x", "region"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(name, value, why):
    with pytest.raises(limner.TaskRefused) as caught:
        BedrockSettings.of({name: value})
    assert f"setting {name}" in str(caught.value)
    assert why in str(caught.value)


def test_the_enums_are_those_of_botocore():
    from limner_bedrock import settings

    members = (
        boto3.Session()
        .client("bedrock-runtime", "us-west-2")
        .meta.service_model.operation_model("InvokeModel")
        .input_shape.members
    )
    assert tuple(members["trace"].enum) == settings.TRACES
    assert tuple(members["serviceTier"].enum) == settings.SERVICE_TIERS
    assert tuple(members["performanceConfigLatency"].enum) == settings.LATENCIES


def test_they_hash_compare_and_pass_through_again():
    session = boto3.Session()
    settings = BedrockSettings.of({"region": "us-west-2", "request_metadata": {"a": "b"}, "session": session})
    again = BedrockSettings.of({field.name: getattr(settings, field.name) for field in attrs.fields(BedrockSettings)})
    assert again == settings
    assert hash(again) == hash(settings)


def test_a_session_is_not_shown():
    assert "session" not in repr(BedrockSettings(session=boto3.Session(aws_secret_access_key="hush", aws_access_key_id="x")))


def test_an_endpoint_is_shown_without_its_user():
    settings = BedrockSettings(endpoint_url="http://user:hush@127.0.0.1:8080/hush?hush")
    assert "endpoint_url='http://127.0.0.1:8080'" in repr(settings)
    assert "hush" not in repr(settings)
    with pytest.raises(limner.TaskRefused) as caught:
        BedrockSettings.of({"endpoint_url": "http://user:hush/hush@127.0.0.1"})
    assert "hush" not in str(caught.value)
