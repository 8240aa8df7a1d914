// What a user gives to external servers and nobody else may see.

package mcpclient

import (
	"encoding/json"
	"fmt"
	"maps"
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
