"""What Istio would say of its objects: the rules of its admission webhook, and those of `istioctl analyze`.

Each rule names the code of Istio (IST0106) in its page. Source of all of them: pkg/config/validation and
pkg/config/analysis of istio/istio, commit eed52ebb66ad.
"""
