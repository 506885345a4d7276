// What Kubernetes' own code says of CEL rules: reads one question as JSON from standard input, writes the answer.
//
// A question holds schemas (`openAPIV3Schema` of a CRD, by name) with objects to validate against them, after defaults
// and with or without an earlier object, and expressions to evaluate with the functions that Kubernetes declares.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	"github.com/google/cel-go/cel"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	rules "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/version"
	limits "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

type question struct {
	Schemas     map[string]json.RawMessage `json:"schemas"`
	Cases       []example                  `json:"cases"`
	Expressions []string                   `json:"expressions"`
}

type example struct {
	Schema string          `json:"schema"`
	Object json.RawMessage `json:"object"`
	Old    json.RawMessage `json:"old"`
}

type finding struct {
	Path   string `json:"path"`
	Detail string `json:"detail"`
	Type   string `json:"type"`
}

type answer struct {
	Cases       [][]finding `json:"cases"`
	Expressions []verdict   `json:"expressions"`
}

type verdict struct {
	Error string `json:"error"`
	Value any    `json:"value"`
}

func main() {
	var asked question
	check(json.NewDecoder(os.Stdin).Decode(&asked))
	found := map[string]*structural.Structural{}
	for name, raw := range asked.Schemas {
		found[name] = structuralOf(name, raw)
	}
	said := answer{Cases: [][]finding{}, Expressions: []verdict{}}
	validators := map[string]*rules.Validator{}
	for _, each := range asked.Cases {
		schema := found[each.Schema]
		if _, ok := validators[each.Schema]; !ok {
			validators[each.Schema] = rules.NewValidator(schema, true, limits.PerCallLimit)
		}
		said.Cases = append(said.Cases, judged(validators[each.Schema], schema, each))
	}
	for _, text := range asked.Expressions {
		said.Expressions = append(said.Expressions, evaluated(text))
	}
	check(json.NewEncoder(os.Stdout).Encode(said))
}

func structuralOf(name string, raw json.RawMessage) *structural.Structural {
	var published apiextensionsv1.JSONSchemaProps
	check(json.Unmarshal(raw, &published))
	var internal apiextensions.JSONSchemaProps
	check(apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&published, &internal, nil))
	schema, err := structural.NewStructural(&internal)
	if err != nil {
		check(fmt.Errorf("%s: %w", name, err))
	}
	return schema
}

func judged(validator *rules.Validator, schema *structural.Structural, each example) []finding {
	found := []finding{}
	if validator == nil {
		return found
	}
	object, old := decoded(each.Object), decoded(each.Old)
	for _, one := range []any{object, old} {
		if one != nil {
			defaulting.PruneNonNullableNullsWithoutDefaults(one, schema)
			defaulting.Default(one, schema)
		}
	}
	errors, _ := validator.Validate(context.Background(), nil, schema, object, old, limits.RuntimeCELCostBudget)
	for _, err := range errors {
		found = append(found, finding{err.Field, err.Detail, string(err.Type)})
	}
	return found
}

// decoded reads integers as an API server does.
func decoded(raw json.RawMessage) any {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	var value map[string]any
	check(utiljson.Unmarshal(raw, &value))
	return value
}

func evaluated(text string) verdict {
	env, err := environment.MustBaseEnvSet(version.MajorMinor(1, 37)).NewExpressionsEnv().Extend()
	check(err)
	ast, issues := env.Compile(text)
	if issues != nil {
		return verdict{Error: issues.String()}
	}
	program, err := env.Program(ast)
	if err != nil {
		return verdict{Error: err.Error()}
	}
	value, _, err := program.Eval(cel.NoVars())
	if err != nil {
		return verdict{Error: err.Error()}
	}
	native, err := value.ConvertToNative(reflect.TypeFor[*structpb.Value]())
	if err != nil {
		return verdict{Error: err.Error()}
	}
	return verdict{Value: native.(*structpb.Value).AsInterface()}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
