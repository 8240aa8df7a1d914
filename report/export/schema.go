// What report.json is, as a JSON schema that is made from the types and from the table of metrics.

package export

import (
	"maps"
	"reflect"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"mcp-trade/decimal"
	"mcp-trade/market"
	"mcp-trade/report"
)

// Schema is the JSON schema of report.json, draft 2020-12.
func Schema() ([]byte, error) {
	schema, err := jsonschema.For[report.Report](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[report.Number]():       nullable(),
		reflect.TypeFor[decimal.NullDecimal](): nullable(),
		reflect.TypeFor[decimal.Decimal]():     {Type: "number"},
		reflect.TypeFor[market.FeeItems]():     {Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "number"}},
		reflect.TypeFor[report.Metrics]():      metricsSchema(),
	}})
	if err != nil {
		return nil, err
	}
	schema.Schema, schema.Title = "https://json-schema.org/draft/2020-12/schema", "A report of mcp-trade"
	text, err := indented(schema)
	return append(text, '\n'), err
}

func nullable() *jsonschema.Schema { return &jsonschema.Schema{Types: []string{"number", "null"}} }

// metricsSchema is the schema of the figures of an account, which describes each as the documentation does.
func metricsSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type: "object", AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
		Properties: map[string]*jsonschema.Schema{
			"returns": {Type: "integer"}, "stale_days": {Type: "integer"}, "trades": {Type: "integer"}, "closed_trades": {Type: "integer"},
			"end_stale": {Types: []string{"object", "null"}},
			"undefined": {Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "string"}, Description: "why a figure is null, by its name"},
		},
	}
	for _, x := range report.MetricTable() {
		figure := nullable()
		figure.Description = x.Name + ": " + x.Meaning
		s.Properties[string(x.Key)] = figure
		if x.DateKey != "" {
			s.Properties[x.DateKey] = &jsonschema.Schema{Type: "string"}
		}
		if x.HasInterval() {
			s.Properties[x.IntervalKey()] = &jsonschema.Schema{
				Type: "object", Required: []string{"low", "high"}, Properties: map[string]*jsonschema.Schema{"low": nullable(), "high": nullable()},
				Description: "95 % interval",
			}
		}
	}
	s.Required = slices.Sorted(maps.Keys(s.Properties))
	return s
}
