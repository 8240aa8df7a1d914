// What a configuration names outside of itself: files of prompts, and variables of the environment.

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"mcp-trade/internal/files"
	"mcp-trade/internal/mcpclient"
)

// Complete reads what the enabled models and the servers name outside of the configuration: the files of prompts, and the variables
// in headers and environments. Before it nothing of that is read. lookup reads the environment. An error names every place.
func (c *Config) Complete(lookup func(string) (string, bool)) error {
	var p problems
	for name, s := range c.MCPServers {
		at := "mcp_servers[" + name + "]"
		s.Variables = mcpclient.Secrets{}
		p.expand(at+".env", s.Env, s.Variables, lookup)
		p.expand(at+".headers", s.Headers, s.Variables, lookup)
		c.MCPServers[name] = s
	}
	prompts := map[string]string{} // by file: the trials of an experiment share them
	for i := range c.Models {
		m, at := &c.Models[i], fmt.Sprintf("models[%d]", i)
		if m.Trial != nil {
			at = "experiment[" + m.Signature + "]"
		}
		if !m.Enabled {
			continue
		}
		m.Variables = mcpclient.Secrets{}
		p.expand(at+".extra_headers", m.ExtraHeaders, m.Variables, lookup)
		if text, known := prompts[m.PromptFile]; known {
			m.Prompt = text
		} else if m.PromptFile != "" {
			text, err := c.read(m.PromptFile)
			p.expect(err == nil, at+".prompt_file", "%v", err)
			m.Prompt = string(text)
			prompts[m.PromptFile] = m.Prompt
		}
	}
	return p.err()
}

// Variables lists the variables that secrets name, as ${NAME}.
func Variables(s mcpclient.Secrets) []string {
	var names []string
	for _, text := range s {
		for _, v := range variable().FindAllString(text, -1) {
			names = append(names, v[2:len(v)-1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// variable is no package variable: every start would pay for it.
func variable() *regexp.Regexp { return regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`) }

// expand puts the values of variables into secrets, and notes them in used.
func (p *problems) expand(at string, s, used mcpclient.Secrets, lookup func(string) (string, bool)) {
	variable := variable()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		s[name] = variable.ReplaceAllStringFunc(s[name], func(v string) string {
			v = v[2 : len(v)-1]
			value, ok := lookup(v)
			p.expect(ok, at+"["+name+"]", "the variable %s is not set", v)
			used[v] = value
			return value
		})
	}
}

// Inside is the path of a file within the folder of the configuration; false if it is not there. Links are not looked at.
func (c Config) Inside(path string) (string, bool) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return "", false
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", false
	}
	inside, err := filepath.Rel(dir, path)
	return inside, err == nil && filepath.IsLocal(inside)
}

// read reads a file of text. One in the folder of the configuration cannot be a link that leads out of it.
func (c Config) read(path string) ([]byte, error) {
	if inside, ok := c.Inside(path); ok {
		dir, err := os.OpenRoot(c.Dir)
		if err != nil {
			return nil, err
		}
		defer dir.Close()
		if _, err := dir.Stat(inside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s leads out of the folder of the configuration: name the file that it leads to (%w)", path, err)
		}
	}
	return files.Read(path, maxPrompt)
}
