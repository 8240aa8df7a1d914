// Reading a configuration: the file, what the environment says before it, and sentences about what is wrong with it.

package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/go-viper/mapstructure/v2"

	"mcp-trade/agent/model"
	"mcp-trade/decimal"
	"mcp-trade/internal/bounded"
	"mcp-trade/internal/rate"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// Limits on what is read into memory.
const (
	maxConfig = 4 << 20
	maxPrompt = 1 << 20
)

// Load reads the configuration in a file, and nothing that it names outside of itself: see [Config.Complete]. apis are those that a
// model can name, and the first is that of one which names none; lookup reads the environment. What is unknown is ignored with a
// warning; what is wrong is an error that names every place.
func Load(path string, apis []model.API, lookup func(string) (string, bool)) (c Config, warnings []string, err error) {
	text, err := readBounded(path, maxConfig)
	if err != nil {
		return c, nil, err
	}
	tree, err := parseTree(text)
	if err != nil {
		return c, nil, fmt.Errorf("%s: %w", path, err)
	}
	l := loader{dir: filepath.Dir(path), apis: apis, lookup: lookup}
	c = l.config(tree)
	c.Dir = l.dir
	if l.problems == nil {
		l.problems = append(l.problems, c.Validate(), c.Experiment.validate(c.Enabled()))
	}
	if err := l.err(); err != nil {
		return c, l.warnings, fmt.Errorf("%s is not valid:\n%w", path, err)
	}
	return c.expanded(), l.warnings, nil
}

// parseTree reads JSON, with the line of a mistake.
func parseTree(text []byte) (map[string]any, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors of Windows write it
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var tree map[string]any
	err := d.Decode(&tree)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			return nil, errors.New("there is more behind the end of the JSON object")
		}
		return tree, nil
	}
	at := int64(len(text))
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = min(syntax.Offset, at)
	}
	return nil, fmt.Errorf("not a JSON object: line %d: %w", 1+bytes.Count(text[:at], []byte("\n")), err)
}

// loader turns the tree of a configuration into a Config, and gathers what is to be said about it.
type loader struct {
	dir      string
	apis     []model.API
	lookup   func(string) (string, bool)
	warnings []string
	problems
}

func (l *loader) config(tree map[string]any) Config {
	c := Default()
	models, agent := tree["models"], tree["agent_config"]
	rest := maps.Clone(tree)
	delete(rest, "models")
	delete(rest, "agent_config")
	l.decode("", rest, &c)
	l.decode("agent_config", agent, &c.AgentConfig)
	if of := agentTypes[c.AgentType]; of != "" && tree["market"] == nil {
		c.Market = string(of)
	}
	list, ok := models.([]any)
	l.expect(ok, "models", "must be a list of models")
	for i, m := range list {
		c.Models = append(c.Models, l.model(fmt.Sprintf("models[%d]", i), m, c.AgentConfig.Tuning))
	}
	for _, d := range []struct {
		variable string
		date     *market.Stamp
	}{{"INIT_DATE", &c.DateRange.Init}, {"END_DATE", &c.DateRange.End}} {
		if text, _ := l.lookup(d.variable); text != "" {
			var err error
			*d.date, err = market.ReadStamp(text)
			l.expect(err == nil, d.variable, "%v", err)
		}
	}
	if text, _ := l.lookup(Follow); text != "" {
		c.Follow = true
	}
	for name, s := range c.MCPServers {
		if s.Folder != "" && !filepath.IsAbs(s.Folder) {
			s.Folder = filepath.Join(l.dir, s.Folder)
		}
		c.MCPServers[name] = s
	}
	for i := range c.Experiment.Prompts {
		if p := &c.Experiment.Prompts[i]; p.PromptFile != "" && !filepath.IsAbs(p.PromptFile) {
			p.PromptFile = filepath.Join(l.dir, p.PromptFile)
		}
	}
	return c
}

// model reads one model. A key that stands in the file is not used: the file is passed around, and its copies.
func (l *loader) model(at string, tree any, tuning Tuning) Model {
	m := Model{Enabled: true, Tuning: tuning}
	m.Temperature, m.TopP, m.Seed, m.ExtraBody = clone(m.Temperature), clone(m.TopP), clone(m.Seed), maps.Clone(m.ExtraBody)
	var key any
	if object, ok := tree.(map[string]any); ok {
		object = maps.Clone(object)
		key = object["openai_api_key"]
		delete(object, "openai_api_key")
		tree = object
	}
	l.decode(at, tree, &m)
	m.api = l.api(at, m)
	if m.API == l.apis[0].Name {
		m.API = "" // as the manifests of earlier versions have it
	}
	if text, ok := key.(string); key != nil && (!ok || text != "" && !isPlaceholder(text)) {
		const say = "a key in a file is not used (nor shown here); move it to the environment or .env as %s, or as a variable that api_key_env names"
		if m.Enabled {
			l.expect(false, at+".openai_api_key", say, m.api.KeyVariable)
		} else {
			l.warn(at+".openai_api_key", say, m.api.KeyVariable)
		}
	}
	m.Signature = cmp.Or(m.Signature, m.Name)
	m.Name = cmp.Or(m.Name, m.Signature)
	m.KeyNamed = m.KeyEnv != "" && m.KeyEnv != m.api.KeyVariable
	m.KeyEnv = cmp.Or(m.KeyEnv, m.api.KeyVariable)
	switch base, _ := l.lookup(m.api.BaseVariable); {
	case m.BaseURL != "":
		m.NamedBy = ByFile
	case base != "" && !isPlaceholder(base):
		m.BaseURL, m.NamedBy = base, m.api.BaseVariable
	default:
		m.BaseURL = m.api.BaseURL
	}
	m.BaseURL = strings.TrimRight(m.BaseURL, "/")
	if m.PromptFile != "" && !filepath.IsAbs(m.PromptFile) {
		m.PromptFile = filepath.Join(l.dir, m.PromptFile)
	}
	return m
}

// api is the API that a model names, or the first.
func (l *loader) api(at string, m Model) model.API {
	var names []string
	for _, api := range l.apis {
		if api.Name == m.API {
			return api
		}
		names = append(names, api.Name)
	}
	l.expect(m.API == "" || !m.Enabled, at+".api", "%q is not one that can be asked; use %s", m.API, strings.Join(names, " or "))
	return l.apis[0]
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// decode reads a part of the tree into a struct; what the tree does not have, or has as null, stays as it is there.
func (l *loader) decode(at string, tree, into any) {
	var meta mapstructure.Metadata
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: into, TagName: "json", Squash: true, Metadata: &meta, DecodeHook: mapstructure.DecodeHookFuncValue(decodeValue),
		MatchName: func(key, field string) bool { return key == field },
	})
	if err != nil {
		l.expect(false, at, "%v", err)
		return
	}
	if err := d.Decode(tree); err != nil {
		l.mistakes(at, err)
	}
	slices.Sort(meta.Unused)
	for _, key := range meta.Unused {
		name, suggestion := key[strings.LastIndex(key, ".")+1:], ""
		if near := nearest(name, keysAt(reflect.TypeOf(into).Elem(), key)); near != "" {
			suggestion = "; did you mean " + near + "?"
		}
		l.warn(join(at, key), "not known, and ignored%s", suggestion)
	}
}

func (l *loader) warn(at, format string, args ...any) {
	l.warnings = append(l.warnings, at+": "+fmt.Sprintf(format, args...))
}

func join(at, key string) string { return strings.Trim(at+"."+key, ".") }

// mistakes says in our words where a value is of the wrong kind. It never repeats the value.
func (l *loader) mistakes(at string, err error) {
	switch wrapped := err.(type) {
	case interface{ Unwrap() []error }:
		for _, err := range wrapped.Unwrap() {
			l.mistakes(at, err)
		}
		return
	case *mapstructure.DecodeError:
		l.mistake(join(at, wrapped.Name()), wrapped.Unwrap())
		return
	case interface{ Unwrap() error }:
		l.mistakes(at, wrapped.Unwrap())
		return
	}
	l.mistake(at, err)
}

func (l *loader) mistake(at string, err error) {
	what := err.Error()
	var kind *mapstructure.UnconvertibleTypeError
	var form *mapstructure.ParseError
	switch {
	case errors.As(err, &kind):
		what = "must be " + kindOf(kind.Expected.Type())
	case errors.As(err, &form):
		what = "must be " + kindOf(form.Expected.Type())
	case strings.HasPrefix(what, "source data must be an array"):
		what = "must be a list"
	case strings.HasPrefix(what, "expected a map"):
		what = "must be an object"
	}
	l.expect(false, at, "%s", what)
}

func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// decodeValue reads what JSON has no type for: numbers with all their digits, dates, and what is only a placeholder.
func decodeValue(from, to reflect.Value) (any, error) {
	value := from.Interface()
	text, isText := value.(string)
	if isText && isPlaceholder(text) {
		text, value = "", ""
	}
	number, isNumber := value.(json.Number)
	switch to.Interface().(type) {
	case decimal.Decimal, decimal.NullDecimal:
		if isText {
			number = json.Number(strings.TrimSpace(text))
		} else if !isNumber {
			return nil, errors.New("must be a number")
		}
		d, err := ledger.ParseDecimal(number.String())
		if _, optional := to.Interface().(decimal.NullDecimal); optional && err == nil {
			return decimal.NewNullDecimal(d), nil
		}
		return d, err
	case rate.Rate:
		if !isText {
			return nil, errors.New("must be a text such as 60/m")
		}
		return rate.Parse(text)
	case market.Stamp:
		if isText && text != "" {
			return market.ReadStamp(text)
		}
	}
	return value, nil
}

// isPlaceholder tells a text that a user was to replace, such as "YOUR_OPENAI_BASE_URL,you can write them in .env file".
func isPlaceholder(text string) bool {
	return strings.Contains(text, "YOUR_") || strings.HasPrefix(text, "Optional:") || strings.HasPrefix(strings.ToLower(text), "your-") ||
		strings.HasPrefix(text, "<") && strings.HasSuffix(text, ">")
}

// keysAt lists the keys beside one that t does not have, which stands at a path in it.
func keysAt(t reflect.Type, path string) []string {
	steps := strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	for _, step := range steps[:max(len(steps), 1)-1] {
		switch t.Kind() {
		case reflect.Map, reflect.Slice:
			t = t.Elem()
		case reflect.Struct:
			f, ok := fields(t)[step]
			if !ok {
				return nil
			}
			t = f
		}
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return slices.Sorted(maps.Keys(fields(t)))
}

// fields are the keys of a struct, with their types.
func fields(t reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); key != "" && key != "-" {
			all[key] = f.Type
		}
	}
	return all
}

// nearest is the one of the known keys that is written most like a key, "" if none is.
func nearest(key string, known []string) string {
	best, distance := "", max(2, len(key)/3)+1
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(key), k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// readBounded reads a file that must not be larger than a bound.
func readBounded(path string, bound int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := bounded.Read(f, bound)
	if errors.Is(err, bounded.ErrTooLong) {
		err = fmt.Errorf("%s is larger than %d bytes", path, bound)
	}
	return text, err
}
