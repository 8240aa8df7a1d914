// Where a value of a session comes from.

package session

import "strings"

// Source is the layer that a value came from: the name of a backend, [FromEnvironment], or what stands in for the environment.
type Source string

// FromEnvironment is the layer below the backends.
const FromEnvironment Source = "environment"

// Title is the source as a sentence names it, such as "Redis".
func (s Source) Title() string {
	first := min(1, len(s)) // of no store
	return strings.ToUpper(string(s[:first])) + string(s[first:])
}
