// Arguments and schemas. An argument with one meaning is accepted; any other is refused with a sentence that says what to send.
//
// The fields of a params struct are strings, lists of strings, tickers, flags, numbers and amounts. The rules of package ledger give
// the form of an amount. Tags give the form of the others:
//
//	json:"limit,omitempty"       the name; omitempty makes it optional
//	jsonschema:"How many ..."    the description
//	min:"1" max:"500"            bounds of a number; max also bounds the length of a string, or of a list
//	of:"buy,sell"                the words that a string can be
//
// An optional sum of money or price is a decimal.NullDecimal above 0.

package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"

	"mcp-trade/decimal"
	"mcp-trade/internal/jsonrpc"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// field is a field of a params struct.
type field struct {
	name     string
	optional bool
	min, max *float64
	words    []string
	index    int
	kind     reflect.Type
}

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, field{
			name: name, optional: strings.Contains(options, "omitempty"), index: i, kind: f.Type,
			min: bound(f.Tag.Get("min")), max: bound(f.Tag.Get("max")), words: splitList(f.Tag.Get("of")),
		})
	}
	return fields
}

func bound(tag string) *float64 {
	if v, err := strconv.ParseFloat(tag, 64); err == nil {
		return &v
	}
	return nil
}

// bind reads arguments into a params struct of these fields. A null stands for an argument that was not given, a number or a flag may
// come as a string, and space around a string does not count.
func bind[P any](fields []field, amount ledger.AmountForm, arguments json.RawMessage) (P, error) {
	var params P
	given, err := splitObject(arguments)
	if err != nil {
		return params, err
	}
	v := reflect.ValueOf(&params).Elem()
	if err := checkNames(fields, given); err != nil {
		return params, err
	}
	for _, f := range fields {
		raw := bytes.TrimSpace(given[f.name])
		if len(raw) == 0 || string(raw) == "null" {
			if !f.optional {
				return params, f.refuse("is missing")
			}
			continue
		}
		if err := f.set(v.Field(f.index), amount, raw); err != nil {
			return params, err
		}
	}
	return params, nil
}

// splitObject returns the members of an object. An absent object and null count as empty. A key that occurs twice, in any case
// of letters, is an error.
func splitObject(arguments json.RawMessage) (map[string]json.RawMessage, error) {
	given := map[string]json.RawMessage{}
	if text := bytes.TrimSpace(arguments); len(text) == 0 || string(text) == "null" {
		return given, nil
	}
	r := jsonrpc.NewReader(arguments)
	err := r.Object(false, func(key string) (err error) {
		given[key], err = r.Raw()
		return err
	})
	switch {
	case err != nil || r.End() != nil:
		return nil, wrong("The arguments are not an object. Send one, such as {}.", nil)
	case r.Flaw != nil:
		return nil, wrong(r.Flaw.Sentence("argument"), map[string]any{"argument": jsonrpc.Cut(r.Flaw.Key)})
	}
	return given, nil
}

func checkNames(fields []field, given map[string]json.RawMessage) error {
	for name := range given {
		if slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
			continue
		}
		valid, way := []string{}, "This tool takes none."
		for _, f := range fields {
			valid = append(valid, f.name)
		}
		if len(valid) > 0 {
			way = "Valid are: " + strings.Join(valid, ", ") + "."
		}
		return wrong(fmt.Sprintf("Unknown argument %q. %s", jsonrpc.Cut(name), way), map[string]any{"argument": jsonrpc.Cut(name), "valid": valid})
	}
	return nil
}

// set reads one argument.
func (f field) set(to reflect.Value, amount ledger.AmountForm, raw json.RawMessage) error {
	text := string(raw)
	quoted := json.Unmarshal(raw, &text) == nil
	text = strings.TrimSpace(text)
	switch p := to.Addr().Interface().(type) {
	case *string:
		if !quoted {
			return f.refuse("must be a string")
		}
		if len(f.words) > 0 {
			return f.setWord(p, text)
		}
		if err := f.checkText(text, *f.max); err != nil {
			return err
		}
		*p = text
	case *tickers:
		list := splitList(text)
		if !quoted && json.Unmarshal(raw, &list) != nil {
			return f.refuse("must be a string")
		}
		return f.setTickers(p, list)
	case *[]string:
		list := splitList(text)
		if isList := strings.HasPrefix(text, "["); (isList || !quoted) && json.Unmarshal([]byte(text), &list) != nil {
			return f.refuse("must be a list of strings")
		}
		return f.setList(p, list)
	case *float64:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return f.refuse("must be a number")
		}
		*p = v
	case *bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return f.refuse("must be true or false")
		}
		*p = b
	case *int:
		d, err := ledger.ParseDecimal(text)
		if err != nil || !d.IsInteger() || d.LessThan(decimal.NewFromFloat(*f.min)) || d.GreaterThan(decimal.NewFromFloat(*f.max)) {
			return f.refuse(fmt.Sprintf("must be a whole number from %g to %g", *f.min, *f.max))
		}
		*p = int(d.IntPart())
	case *decimal.NullDecimal:
		d, err := ledger.ParseDecimal(text)
		if err != nil || !d.IsPositive() {
			return f.refuse("must be a number above 0")
		}
		*p = decimal.NewNullDecimal(d)
	case *decimal.Decimal:
		d, err := ledger.ParseDecimal(text)
		if err != nil {
			provided := fmt.Sprintf("%.40s", text)
			return wrong(amount.Invalid+provided, map[string]any{"argument": f.name, "provided": provided})
		}
		*p = d
	}
	return nil
}

// setWord reads one of some words.
func (f field) setWord(to *string, text string) error {
	i := slices.IndexFunc(f.words, func(word string) bool { return strings.EqualFold(word, text) })
	if i < 0 {
		return f.refuse("must be " + strings.Join(f.words, " or "))
	}
	*to = f.words[i]
	return nil
}

func (f field) checkText(text string, maxLength float64) error {
	switch {
	case text == "" && !f.optional:
		return f.refuse("is empty")
	case utf8.RuneCountInString(text) > int(maxLength):
		return f.refuse(fmt.Sprintf("is longer than %g characters", maxLength))
	case strings.ContainsFunc(text, unicode.IsControl):
		return f.refuse("holds control characters")
	}
	return nil
}

// tickers is one symbol or several. Its schema is that of a string, as it is of a tool that takes one symbol: several stand in it with
// commas. A list of strings is taken, too.
type tickers []string

func (f field) setTickers(to *tickers, list []string) error {
	if len(list) > int(*f.max) {
		return f.refuse(fmt.Sprintf("holds more than %g symbols", *f.max))
	}
	for _, text := range list {
		text = strings.TrimSpace(text)
		if err := f.checkText(text, maxListed); err != nil {
			return err
		}
		*to = append(*to, text)
	}
	if len(*to) == 0 {
		return f.refuse("is empty")
	}
	return nil
}

const maxListed = 40 // characters of each string in a list

func (f field) setList(to *[]string, list []string) error {
	if len(list) > int(*f.max) {
		return f.refuse(fmt.Sprintf("holds more than %g strings", *f.max))
	}
	for _, text := range list {
		text = strings.TrimSpace(text)
		if text == "" || utf8.RuneCountInString(text) > maxListed || strings.ContainsFunc(text, unicode.IsControl) {
			return f.refuse(fmt.Sprintf("holds a string that is empty, or longer than %d characters, or not plain text", maxListed))
		}
		*to = append(*to, text)
	}
	return nil
}

func (f field) refuse(problem string) error {
	return wrong(fmt.Sprintf("The argument %q %s.", f.name, problem), map[string]any{"argument": f.name})
}

// resultTypes are the schemas of types whose Go structure does not match their JSON. A value that may be null has two
// branches, each of one type: not every client knows lists of types.
var resultTypes = map[reflect.Type]*jsonschema.Schema{
	reflect.TypeFor[decimal.Decimal]():     {Type: "number"},
	reflect.TypeFor[decimal.NullDecimal](): oneOf("number", "null"),
	reflect.TypeFor[ledger.Positions]():    {Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "number"}},
	reflect.TypeFor[market.FeeItems]():     {Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "number"}},
	reflect.TypeFor[cells]():               {Type: "array"},
	reflect.TypeFor[symbolBar]():           {Type: "object"},
	reflect.TypeFor[ohlcv](): {
		Type: "object", AdditionalProperties: oneOf("number", "null"), Required: []string{"open", "high", "low", "close", "volume"},
	},
}

func oneOf(types ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{}
	for _, t := range types {
		s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Type: t})
	}
	return s
}

// paramsSchema is the input schema of a params struct.
func paramsSchema[P any](amount ledger.AmountForm) json.RawMessage {
	if reflect.TypeFor[P]().NumField() == 0 {
		// Some model vendors refuse an object without a list of properties, even of none.
		return json.RawMessage(`{"type":"object","properties":{},"additionalProperties":false}`)
	}
	ofAmount := jsonschema.Schema{Type: amount.Type, Description: amount.Description}
	if amount.Minimum.IsPositive() {
		ofAmount.Minimum = jsonschema.Ptr(amount.Minimum.InexactFloat64())
	} else {
		ofAmount.ExclusiveMinimum = jsonschema.Ptr(0.0)
	}
	schema := schemaOf[P](map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[decimal.Decimal]():     &ofAmount,
		reflect.TypeFor[decimal.NullDecimal](): {Type: "number", ExclusiveMinimum: jsonschema.Ptr(0.0)},
		reflect.TypeFor[tickers]():             {Type: "string"},
	})
	for _, f := range fieldsOf(reflect.TypeFor[P]()) {
		p := schema.Properties[f.name]
		if f.kind == reflect.TypeFor[tickers]() {
			continue
		}
		switch f.kind.Kind() {
		case reflect.String: // its length is not told: strict model APIs do not know the keyword, and the refusal says it
			if !f.optional { // else they would want null among the words
				p.Enum = anyOf(f.words)
			}
		case reflect.Slice:
			p.Type, p.Types, p.MaxItems = "array", nil, jsonschema.Ptr(int(*f.max))
		case reflect.Struct: // an amount, of which the rules have said all
		default:
			p.Minimum, p.Maximum = f.min, f.max
		}
	}
	return marshalSchema(schema)
}

func anyOf(words []string) (list []any) {
	for _, word := range words {
		list = append(list, word)
	}
	return list
}

// resultSchema is the schema of a result struct.
func resultSchema[R any]() *jsonschema.Schema {
	schema := schemaOf[R](resultTypes)
	allowExtraFields(schema)
	return schema
}

// outputSchema is the schema of a result as a client is told of it: its fields and their types, but not which of them are always
// there. That is a tenth of the list of tools, all of which takes from the context of a model.
func outputSchema(result *jsonschema.Schema) json.RawMessage {
	dropRequired(result)
	return marshalSchema(result)
}

func dropRequired(s *jsonschema.Schema) {
	s.Required = nil
	for _, p := range s.Properties {
		dropRequired(p)
	}
	if s.Items != nil {
		dropRequired(s.Items)
	}
}

func schemaOf[T any](types map[reflect.Type]*jsonschema.Schema) *jsonschema.Schema {
	schema, err := jsonschema.For[T](&jsonschema.ForOptions{TypeSchemas: types})
	if err != nil {
		panic(err) // the struct is ours: a test builds every schema
	}
	return schema
}

// unlisted is the description of a field of a result that no schema lists: few accounts have it, and every list of tools would pay for it.
const unlisted = "unlisted"

// allowExtraFields allows fields that a schema does not name, so that results can grow. It removes null from the type of lists and
// of what a pointer leads to, which are there or left out and never null here: some clients do not understand a list of types.
func allowExtraFields(s *jsonschema.Schema) {
	if len(s.Types) == 2 && s.Types[0] == "null" {
		s.Type, s.Types = s.Types[1], nil
	}
	if s.Type == "object" && len(s.Properties) > 0 {
		s.AdditionalProperties = nil
	}
	for name, p := range s.Properties {
		if p.Description == unlisted {
			delete(s.Properties, name)
			s.PropertyOrder = slices.DeleteFunc(s.PropertyOrder, func(listed string) bool { return listed == name })
			continue
		}
		allowExtraFields(p)
	}
	if s.Items != nil {
		allowExtraFields(s.Items)
	}
}

func marshalSchema(s *jsonschema.Schema) json.RawMessage {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return text
}
