//! Which texts there are: one member for each, so that a language without one does not compile.

use super::Language;
use super::text::Text;

/// Declares what every language has to say.
macro_rules! texts {
    ($( $(#[$doc:meta])* $part:ident: $kind:ident { $( $name:ident, )* } )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub(crate) struct $kind {
                $( pub(crate) $name: Text, )*
            }
        )*

        /// Everything that is said in one language.
        #[derive(Clone, Debug)]
        pub(crate) struct Words {
            pub(crate) language: Language,
            $( pub(crate) $part: $kind, )*
        }

        impl Words {
            /// All texts, each with its name, such as `sign_in.title`.
            pub(crate) fn texts(&self) -> Vec<(&'static str, &Text)> {
                vec![$( $(
                    (concat!(stringify!($part), ".", stringify!($name)), &self.$part.$name),
                )* )*]
            }

            /// The same, to be replaced.
            pub(crate) fn texts_mut(&mut self) -> Vec<(&'static str, &mut Text)> {
                vec![$( $(
                    (concat!(stringify!($part), ".", stringify!($name)), &mut self.$part.$name),
                )* )*]
            }
        }
    };
}

/// Writes down what one language says.
macro_rules! catalogue {
    ($constant:ident: $language:ident {
        $( $part:ident: $kind:ident { $( $name:ident: $text:literal, )* } )*
    }) => {
        pub(super) const $constant: super::words::Words = super::words::Words {
            language: super::Language::$language,
            $( $part: super::words::$kind {
                $( $name: super::text::Text::of($text), )*
            }, )*
        };
    };
}
pub(super) use catalogue;

texts! {
    /// The page of the account.
    account: AccountWords {
        add_address, application_narrowed, application_withdrawn, applications, browser, browser_on, browser_unknown_on,
        change_address, change_password, end_all, end_here, end_others, end_there, from_place,
        here, letters_go_to, letters_go_to_unconfirmed, nothing_happened, no_application, parts,
        personal_tokens, session, session_ended, session_times, sessions, take_back, take_back_named, title, ways_to_sign_in,
        what_happened, withdraw,
    }
    /// The page where the mail address is changed.
    address: AddressWords {
        current, current_unconfirmed, hint, label, malformed, must_end, no_letters, none, or, send,
        title,
    }
    /// The page with what applications ask by the back channel.
    approvals: ApprovalWords {
        allowed, caution, caution_message, denied, empty, heading, heading_empty, over, shows,
        title,
    }
    /// What several pages say.
    common: CommonWords {
        about, allow, app_here, app_named, application, audiences, back_to_account, cancel,
        confirm, deny, failed, for_at, go_on, host, on_yours, privacy_policy, scopes, secured_by,
        signed_in_as, stale, stale_or_no_cookies, support, technical, terms,
        unknown,
    }
    /// The consent page.
    consent: ConsentWords {
        ask_again, broad, choose, heading, new, nothing, offline, onward, published_by, returns_to,
        self_registered, stale, title, use_another,
    }
    /// The pages for a device without a keyboard.
    device: DeviceWords {
        about, asked, asked_by, asked_from, caution, code, code_caution, elsewhere, heading, lead,
        must_show, nothing, throttled, title, unknown,
    }
    /// The pages at the end of something.
    done: DoneWords {
        account_made, account_made_title, address_confirmed, address_confirmed_title,
        device_allowed, device_allowed_title, device_refused, device_refused_title, disowned,
        disowned_title, letter_sent, letter_sent_title, link_over, link_over_title, not_here,
        not_here_title, nothing, nothing_title, password_changed, password_changed_title,
        signed_out, signed_out_title, to_account,
    }
    /// The letter that asks whether it was them, and the page where it leads.
    doubt: DoubtWords {
        about, browser, button, codes, copied, device, otherwise, passkey, place, shared, subject,
        title, travel, was_not_me, what_to_do,
    }
    /// The page where an application for codes is set up.
    enrolment: EnrolmentWords {
        by_hand, enter, lead_account, lead_sign_in, open, picture, scan, title,
    }
    /// The page with what somebody signs in with beside a password.
    factors: FactorWords {
        add_app, add_other_app, add_passkey, added, added_used, app, app_number, ask_again, bare,
        codes, codes_many, codes_new, codes_none, codes_one, codes_replace, forgotten, full, held,
        last, name, name_bad, new_name, new_name_example, not_made, passkey, passkey_held,
        passkey_named, passkey_refused, passkey_synced, remembered, remembered_many,
        remembered_one, remove_app, remove_passkey, removed, rename, rename_open, title,
    }
    /// The page for who has forgotten their password.
    forgotten: ForgottenWords {
        about, incomplete, title, who,
    }
    /// The page that hands an answer to a client.
    form_post: FormPostWords {
        button, title,
    }
    /// The list of what has happened to an account.
    happened: HappenedWords {
        account_changed, account_made, address_asked, address_confirmed, application_narrowed,
        application_withdrawn,
        browsers_forgotten, by_administrator, codes_made, disabled, disowned, enabled, factor_added,
        factor_removed, factor_renamed, factors_removed, identity_connected,
        identity_disconnected, identity_read, password_reset, password_set, sign_in_disowned, signed_out,
        signed_out_everywhere, token_made, token_narrowed, token_revoked, token_rotated,
    }
    /// Letters.
    letter: LetterWords {
        account_known, account_known_name, account_known_subject, address_changed,
        address_changed_rest, address_changed_subject, confirm, confirm_button, confirm_rest,
        confirm_subject, factor_added, factor_codes, factor_connected, factor_disconnected,
        factor_removed, factor_subject, ignore, ignore_invitation, ignore_token, invitation,
        invitation_rest, invitation_subject, link_life, make_account, new_password, not_you,
        open_address, password_changed, password_changed_rest, password_changed_subject,
        questions, reset, reset_subject, sent_by, sign_up_subject, signed_in_at, signed_in_from,
        tell, token_ends, token_ends_rest, token_ends_subject, token_leaked, token_leaked_rest,
        token_leaked_subject,
    }
    /// The pages behind links in letters.
    link: LinkWords {
        address_about, address_button, address_title, code, code_hint, code_missing, code_used,
        code_wrong, entry_about, entry_button, entry_incomplete, entry_title, name, name_bad,
        reset_about, reset_button, reset_incomplete, reset_title, username_bad, username_taken,
    }
    /// The page that asks whether somebody wants to sign out.
    logout: LogoutWords {
        asked_by, lead, out, stay, title, words,
    }
    /// The question for a passkey.
    passkey: PasskeyWords {
        none_used, use_one,
    }
    /// The page where the password is changed, and what is wrong with a new one.
    password: PasswordWords {
        breached, busy, button, common, current, current_wrong, hint, incomplete, new, predictable,
        title, too_long, too_short,
    }
    /// The pages for a request that cannot go on.
    problem: ProblemWords {
        advice_later, advice_ours, advice_out_of_turn, advice_overtaken, advice_return,
        advice_returned, advice_tell, blocked, blocked_mend, blocked_title, client_disabled,
        client_disabled_mend, client_disabled_title, client_unknown, client_unknown_mend,
        client_unknown_title, developers, malformed, malformed_mend, malformed_title, ours,
        ours_mend, ours_title, out_of_turn, out_of_turn_mend, out_of_turn_title, overtaken,
        overtaken_mend, overtaken_title, return_address, return_address_mend,
        return_address_title, returned, returned_mend, returned_title, status,
    }
    /// Everything that is about identity providers.
    provider: ProviderWords {
        account, account_none, add, address_known, cancelled, connect, connect_button,
        connect_title, connected, disconnect, disconnected, go, long_request, not_believed,
        not_fresh, only_way, or, organisation, organisation_button, refused, taken, title, unknown,
        unknown_domain, unreachable,
    }
    /// The page with recovery codes.
    recovery: RecoveryWords {
        caution, kept, lead, title,
    }
    /// What the built-in scopes allow.
    scope: ScopeWords {
        address, admin, admin_read, email, offline_access, openid, phone, profile, register,
        restrictions,
    }
    /// The page that asks for a passkey or a code.
    second: SecondWords {
        code, copied, incomplete, lead, lost, not_yet, passkey_lead, passkey_refused,
        passkey_title, recovery_code, remember, replayed, script_needed, stale, throttled, title,
        use_recovery, wrong,
    }
    /// The sign-in page.
    sign_in: SignInWords {
        again, busy, copied, disabled, forgotten, incomplete, lead, no_factor, passkey, password,
        puzzle, puzzle_around, puzzle_done, puzzle_label, puzzle_waiting, puzzle_working, sign_up,
        throttled, title, username, wrong,
    }
    /// The list of sign-ins.
    sign_ins: SignInsWords {
        both, code, code_many, code_one, disown, disown_named, earlier, for_application, kept,
        passkey, passkey_too, password, password_many, password_one, recovery_code, span, title,
    }
    /// The page where an account is asked for.
    sign_up: SignUpWords {
        about, title,
    }
    /// Times and days.
    time: TimeWords {
        ago_day, ago_days, ago_hour, ago_hours, ago_minute, ago_minutes, ago_now, april, august,
        day, days, december, february, january, july, june, march, may, minutes, november, october,
        on_day, on_minute, second, seconds, september, tried_too_often,
    }
    /// The pages of personal tokens.
    tokens: TokenWords {
        create, disabled, empty, ends, ends_unused, ends_used, expired, idle, idle_after,
        idle_any, idle_shown, keep, kept, life, limits, made_lead, made_title, may, name, narrow,
        narrowed, networks, networks_hint, new, only_from, refused, refused_closed, refused_ended,
        refused_life, refused_many, refused_name, refused_networks, refused_no_scope,
        refused_restrained, refused_scope, refused_unknown, refused_unused, resources, revoke,
        revoked, rotate, state_revoked, suspended, title, token, unused,
    }
}
