// What a configuration gives to further servers and nobody else may see.

package agent

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Secrets are values for nobody's eyes: printed or encoded, they are their names alone.
type Secrets map[string]string

// MarshalJSON encodes the names.
func (s Secrets) MarshalJSON() ([]byte, error) { return json.Marshal(slices.Sorted(maps.Keys(s))) }

// String lists the names.
func (s Secrets) String() string { return fmt.Sprint(slices.Sorted(maps.Keys(s))) }

// GoString lists the names.
func (s Secrets) GoString() string { return s.String() }

// expand puts the values of variables into secrets, and notes them in used.
func (l *loader) expand(at string, s, used Secrets) {
	variable := regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`) // not in a package variable: every start would pay for it
	for _, name := range slices.Sorted(maps.Keys(s)) {
		s[name] = variable.ReplaceAllStringFunc(s[name], func(v string) string {
			v = v[2 : len(v)-1]
			value, ok := l.lookup(v)
			l.expect(ok, at+"["+name+"]", "the variable %s is not set", v)
			used[v] = value
			return value
		})
	}
}
