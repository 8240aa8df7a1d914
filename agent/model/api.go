// What there is to say of an API of models beside how it is spoken.

package model

import "time"

// API is an API of models that a configuration can name.
type API struct {
	Name         string // in a configuration
	KeyVariable  string // environment variable that holds its key
	BaseURL      string // where it is, up to /v1
	BaseVariable string // environment variable that names another place; "" if none does

	// What a token costs that was in the API's cache, and one that is written into it, as a part of what any other costs; "" is as much.
	CachedPart, WrittenPart string

	// Open makes a client, see [Opener]. now tells the time, for an API that says until when it wants to be left alone.
	Open func(s Settings, now func() time.Time) (Model, error)
}
