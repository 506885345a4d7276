"""A text that is shown to anybody in, the same with stars for tokens and passwords out, as long as before. Imports nothing of ours.

What is hidden has the form of a secret, whatever it stands beside: a beginning that its maker gives all of its tokens, and
enough after it. Names, versions and digests have other forms.
"""

from __future__ import annotations

from typing import Any

# What has to be in a text for it to be worth looking closer, in lower case, and the form with a group that is hidden. Searches
# take time in proportion to the text, whatever it holds: what looks ahead has a bound, or begins once in a run of characters.
# Only its maker's own pages say what a token looks like:
# source: huggingface.co/docs/hub/security-tokens; docs.github.com, "About authentication to GitHub" (token formats);
#   docs.gitlab.com/security/tokens ("Token prefixes"); docs.aws.amazon.com/IAM, "IAM identifiers" (unique ID prefixes);
#   cloud.google.com/docs/authentication/api-keys; docs.slack.dev/authentication/tokens; docs.stripe.com/keys;
#   RFC 7519 (JWT), RFC 7468 (PEM), RFC 6750 (Bearer), RFC 3986, 3.2.1 (user:password@); patterns of gitleaks/gitleaks and
#   Yelp/detect-secrets for the others
_FORMS = (
    (("hf_", "api_org_"), r"(?<![A-Za-z0-9])(?:hf_|api_org_)(?P<hf>[A-Za-z0-9]{20,})"),
    (("nvapi-",), r"nvapi-(?P<nvapi>[A-Za-z0-9_-]{16,})"),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"(?<![A-Za-z0-9])(?:gh[pousr]_)(?P<gh>[A-Za-z0-9]{20,})"),
    (("github_pat_",), r"github_pat_(?P<pat>[A-Za-z0-9_]{20,})"),
    (("glpat", "glptt", "gldt", "glrt", "glcbt", "glft", "glsoat", "glagent", "glimt", "gloas", "glffct", "glsa", "gltrt"), r"(?<![A-Za-z0-9])gl(?:pat|ptt|dt|rt|rtr|cbt|ft|soat|agent|imt|oas|ffct|sa|trt)[-_](?P<gl>(?=[a-z_.-]{0,40}[A-Z0-9])[A-Za-z0-9_.-]{16,})"),
    (("akia", "asia", "abia", "acca"), r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)(?P<aws>[A-Z0-9]{16})(?![A-Za-z0-9])"),
    (("aiza",), r"(?<![A-Za-z0-9])AIza(?P<google>[A-Za-z0-9_-]{30,})"),
    (("ya29.",), r"(?<![A-Za-z0-9])ya29\.(?P<oauth>[A-Za-z0-9_-]{20,})"),
    (("gocspx-",), r"GOCSPX-(?P<client>[A-Za-z0-9_-]{20,})"),
    (("xox", "xapp-"), r"(?<![A-Za-z0-9])(?:xox[a-z](?:\.xox[a-z])?|xapp)-(?P<slack>(?=[A-Za-z-]{0,40}[0-9])[A-Za-z0-9-]{10,})"),
    # `sk-` also begins names of things: a token has capitals and digits, or is one long number.
    (("sk-",), r"(?<![A-Za-z0-9_-])sk-(?P<sk>(?=[A-Za-z0-9_-]*[A-Z])(?=[A-Za-z0-9_-]*[0-9])[A-Za-z0-9_-]{16,}|(?:[a-z0-9]{1,8}-){0,3}[0-9a-f]{32,})"),
    (("sk_", "rk_"), r"(?<![A-Za-z0-9])[sr]k_(?:live|test)_(?P<stripe>[A-Za-z0-9]{16,})"),
    (("whsec_",), r"whsec_(?P<hook>[A-Za-z0-9+/=]{20,})"),
    (("eyj",), r"(?<![A-Za-z0-9_-])eyJ(?P<jwt>[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3})"),
    (("-----begin",), r"-----BEGIN [A-Z0-9 ]{1,40}-----(?P<pem>(?=[^-]{0,200}?[A-Za-z0-9+/=]{16})(?:(?!-----END)[A-Za-z0-9+/=:,.|>\\\s\"'#-])+)"),
    (("bearer",), r"(?i:\bbearer)[ \t]+(?P<bearer>(?=[A-Za-z._~+/=-]*[0-9])[A-Za-z0-9._~+/=-]{12,})"),
    (("authorization",), r"(?i:\bauthorization)[\"']?\s*[:=]\s*[\"']?(?i:basic|token)[ \t]+(?P<basic>[A-Za-z0-9._~+/=-]{8,})"),
    (("://",), r"://[^\s/:@\"'${}]*:(?P<password>[^\s/@\"'${}<]+)@"),
    (("npm_",), r"(?<![A-Za-z0-9])npm_(?P<npm>[A-Za-z0-9]{30,})"),
    (("pypi-",), r"pypi-(?P<pypi>[A-Za-z0-9_-]{40,})"),
    (("dckr_pat_",), r"dckr_pat_(?P<docker>[A-Za-z0-9_-]{20,})"),
    (("sg.",), r"(?<![A-Za-z0-9])SG\.(?P<mail>[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})"),
    (("hvs.",), r"(?<![A-Za-z0-9])hvs\.(?P<vault>[A-Za-z0-9_-]{20,})"),
    (("dop_v1_",), r"dop_v1_(?P<ocean>[a-f0-9]{40,})"),
    (("age-secret-key-1",), r"AGE-SECRET-KEY-1(?P<age>[A-Z0-9]{40,})"),
    (("r8_", "gsk_", "xai-", "pplx-"), r"(?<![A-Za-z0-9])(?:r8_|gsk_|xai-|pplx-)(?P<models>[A-Za-z0-9]{30,})"),
    (("accountkey=",), r"AccountKey=(?P<azure>[A-Za-z0-9+/=]{40,})"),
    (("atatt",), r"(?<![A-Za-z0-9])ATATT(?P<atlassian>[A-Za-z0-9_=-]{40,})"),
)  # fmt: skip

# Variables that hold nothing but a secret.
# source: huggingface_hub/constants.py (HF_TOKEN and its older names); docs.nvidia.com/ngc (NGC_API_KEY, NGC_CLI_API_KEY);
# boto3 guide, credentials (AWS_*); documentation of the others' clients
NAMES = frozenset(
    (
        "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_TOKEN", "HUGGINGFACE_TOKEN", "HUGGINGFACEHUB_API_TOKEN",
        "NGC_API_KEY", "NGC_CLI_API_KEY", "NVIDIA_API_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "WANDB_API_KEY", "GITHUB_TOKEN", "GH_TOKEN",
    )
)  # fmt: skip
_ENDINGS = ("_TOKEN", "_KEY", "_SECRET", "_PASSWORD", "_PASSWD", "_CREDENTIALS")


def masked(text: str) -> str:
    """The text with stars for what has the form of a secret. Lines stay where they are."""
    small = text.lower()
    for signs, form in _FORMS:
        if any(sign in small for sign in signs):
            import re

            text = re.sub(form, _stars, text)
    return text


def _stars(found: object) -> str:
    import re

    assert isinstance(found, re.Match) and found.lastgroup is not None
    whole: str = found[0]
    start, end = found.span(found.lastgroup)
    start, end = start - found.start(), end - found.start()
    hidden = "".join(each if each in "\r\n" else "*" for each in whole[start:end])
    return whole[:start] + hidden + whole[end:]


def holds_secret(name: object) -> bool:
    """Whether a variable of this name most likely holds a secret."""
    return isinstance(name, str) and name.isupper() and (name in NAMES or name.endswith(_ENDINGS))


def masked_value(name: object, value: Any) -> Any:
    """The value of a variable as it is shown. What only refers to another one is no secret."""
    if not isinstance(value, str):
        return value
    return "***" if value and holds_secret(name) and "$" not in value else masked(value)


def masked_data(value: Any, name: object = None) -> Any:
    """Plain data as it is shown: texts with stars, and the values of variables that hold secrets, as maps or lists have them."""
    if isinstance(value, dict):
        if isinstance(variable := value.get("name"), str) and "value" in value:
            return {
                key: masked_value(variable, each) if key == "value" else masked_data(each, key)
                for key, each in value.items()
            }
        return {masked(key) if isinstance(key, str) else key: masked_data(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [masked_data(each) for each in value]
    return masked_value(name, value)
