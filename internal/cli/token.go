package cli

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/event"
)

func newToken() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "token",
		Short:   "Create, list and revoke API tokens",
		GroupID: "operate",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	connect := addClientFlags(cmd)
	cmd.AddCommand(newTokenCreate(connect), newTokenList(connect), newTokenRevoke(connect))
	return cmd
}

// tokenView is an API token as the server shows it; the secret only once.
type tokenView struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Role      string     `json:"role"`
	Scopes    []string   `json:"scopes"`
	CreatedAt time.Time  `json:"createdAt"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
}

func newTokenCreate(connect func() (*client, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a token and print its secret, once",
		Example: `  daytwo token create ci --role operator --expires 90d
  daytwo token create agents --role responder --scope ingest`,
		Args: exactArgs(1, "a name for the token"),
	}
	role := cmd.Flags().String("role", "viewer", "viewer, responder, operator or admin")
	scopes := cmd.Flags().StringSlice("scope", nil, "what alone the token may do: "+scopeNames()+" (default: all that its role may)")
	expires := cmd.Flags().String("expires", "", "lifetime, for example 90d (default: until revoked)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		body := map[string]any{"name": args[0], "role": *role}
		if len(*scopes) > 0 {
			body["scopes"] = *scopes
		}
		if *expires != "" {
			life, err := event.ParseDuration(*expires)
			if err != nil {
				return usage(err)
			}
			body["expiresAt"] = time.Now().Add(life).UTC()
		}
		var made struct {
			Secret string `json:"secret"`
		}
		if err := c.post(cmd.Context(), "/api/tokens", body, &made); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), made.Secret)
		return nil
	}
	return cmd
}

func scopeNames() string {
	var names []string
	for _, s := range auth.Scopes() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

func newTokenList(connect func() (*client, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the tokens, without their secrets", Args: noArgs}
	out := addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		var list struct {
			Items []tokenView `json:"items"`
		}
		if err := c.get(cmd.Context(), "/api/tokens", &list); err != nil {
			return err
		}
		return out.print(cmd.OutOrStdout(), list.Items, func() table {
			t := table{header: []string{"id", "name", "role", "scopes", "created", "expires"}}
			for _, k := range list.Items {
				expires := "never"
				if k.ExpiresAt != nil {
					expires = k.ExpiresAt.Local().Format(time.DateTime)
				}
				t.add(k.ID, k.Name, k.Role, strings.Join(k.Scopes, ","), k.CreatedAt.Local().Format(time.DateTime), expires)
			}
			return t
		})
	}
	return cmd
}

func newTokenRevoke(connect func() (*client, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "Revoke a token: it stops working at once",
		Args:  exactArgs(1, "the id of a token"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect()
			if err != nil {
				return err
			}
			return c.call(cmd.Context(), "DELETE", "/api/tokens/"+url.PathEscape(args[0]), nil, nil)
		},
	}
}
