// What doctor finds, whichever file looks.

package main

// finding is what doctor says of one thing.
type finding struct {
	What   string `json:"what"`
	State  string `json:"state"` // ok, warning or failed
	Detail string `json:"detail"`
}
