// Why a session cannot be told, and what each reason carries.

package session

import (
	"errors"
	"fmt"

	"mcp-trade/code"
	"mcp-trade/store"
)

// MissingError says that a value is set in no layer that counts.
type MissingError struct {
	Name   string
	Model  string
	Holder Source // the shared store, if it holds other values of this session, so that the local one does not count; else ""
}

func (e *MissingError) Error() string {
	if e.Holder != "" {
		return fmt.Sprintf("%s environment variable is not set, and neither is the value in %s, which holds other values of the session %q.", e.Name, e.Holder.Title(), e.Model)
	}
	return fmt.Sprintf("%s environment variable is not set, and neither is the value in the session %q.", e.Name, e.Model)
}

func (e *MissingError) Code() code.Code { return code.SessionMissing }

func (e *MissingError) Details() map[string]any {
	return map[string]any{"missing": e.Name, "model_id": e.Model}
}

// InvalidError says that a value is set to an invalid text.
type InvalidError struct {
	Name   string
	Source Source
	Err    error
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("%s in the session (from: %s): %v", e.Name, e.Source, e.Err)
}

func (e *InvalidError) Unwrap() error { return e.Err }

func (e *InvalidError) Code() code.Code { return code.SessionInvalid }

func (e *InvalidError) Details() map[string]any {
	return map[string]any{"value": e.Name, "source": e.Source}
}

// UnreachableError says that the session is unknown: the shared store cannot be read or has lost it, and the local store cannot be
// read or must not replace it.
type UnreachableError struct{ *store.UnreachableError }

func (e *UnreachableError) Unwrap() error { return e.UnreachableError }

func (e *UnreachableError) Code() code.Code { return code.SessionUnreachable }

func (e *UnreachableError) Details() map[string]any { return map[string]any{"engine": e.Engine} }

// UndecidedError is why a session is unknown although values of it can be read: nobody can tell which of them count, until it is
// set again.
type UndecidedError struct {
	Model string
	Err   error
}

func (e *UndecidedError) Error() string { return e.Err.Error() }

func (e *UndecidedError) Unwrap() error { return e.Err }

// RequiredError is why nothing is traded while the shared store cannot be read, where [Config] says so.
type RequiredError struct{ Store Source }

func (e *RequiredError) Error() string {
	return fmt.Sprintf("without %s nothing is traded", e.Store.Title())
}

// unreachable is an error of reading the session from an engine.
func unreachable(engine Source, err error) *UnreachableError {
	known, ok := errors.AsType[*store.UnreachableError](err)
	if !ok || known != err {
		known = &store.UnreachableError{Engine: string(engine), Doing: "read the session", Err: err}
	}
	return &UnreachableError{known}
}

// cause is the reason why an engine did not answer, without the request.
func cause(err error) error {
	if e, ok := errors.AsType[*store.UnreachableError](err); ok {
		return e.Err
	}
	return err
}
