//go:build race

package integration_test

// raced tells that the tests look for data races, and so that the binary is to be built to look for them too.
const raced = true

// raceSlows is how many times slower than usual the binary is, about.
const raceSlows = 6
