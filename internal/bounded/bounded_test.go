package bounded

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRead(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		from io.Reader
		want string
		err  error
	}{
		{"nothing", strings.NewReader(""), "", nil},
		{"as long as the limit", strings.NewReader("1234"), "1234", nil},
		{"longer by a byte", strings.NewReader("12345"), "", ErrTooLong},
		{"broken before its end", io.MultiReader(strings.NewReader("12"), iotest.ErrReader(broken)), "12", broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			if text, err := Read(c.from, 4); string(text) != c.want || err != c.err {
				t.Errorf("%q, %v; want %q, %v", text, err, c.want, c.err)
			}
		})
	}
	endless := strings.NewReader(strings.Repeat("x", 1000))
	if _, err := Read(endless, 4); err != ErrTooLong || endless.Len() < 990 {
		t.Errorf("%v, and %d of 1000 bytes are left", err, endless.Len())
	}
}
