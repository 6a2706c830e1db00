// Asks the browser for a passkey and sends the answer with the form that describes it. Without this
// script, or in a browser that has no passkeys, the form stays hidden.
(() => {
  'use strict';
  const form = document.querySelector('form[data-passkey]');
  if (!form || !window.PublicKeyCredential) return;

  const isNew = form.dataset.passkey === 'create';
  const answerField = form.elements.namedItem('credential');
  const trouble = form.querySelector('[role=alert]');
  let waiting = null;
  form.hidden = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    ask();
  });
  offer();

  /** Lets the browser put passkeys among what it fills the name in with. */
  async function offer() {
    const field = document.querySelector('input[autocomplete~=webauthn]');
    if (!field || !PublicKeyCredential.isConditionalMediationAvailable) return;
    if (await PublicKeyCredential.isConditionalMediationAvailable()) ask('conditional');
  }

  async function ask(mediation) {
    waiting?.abort();
    const mine = new AbortController();
    waiting = mine;
    trouble.hidden = true;
    try {
      const { signal } = mine;
      const publicKey = options();
      const credential = isNew
        ? await navigator.credentials.create({ publicKey, signal })
        : await navigator.credentials.get({ publicKey, signal, mediation });
      answerField.value = JSON.stringify(inText(credential));
      form.submit();
    } catch (error) {
      // Who was overtaken by a later question, or was never asked, has nothing to hear.
      if (mine !== waiting || mediation) return;
      if (error.name === 'InvalidStateError' && isNew) trouble.textContent = trouble.dataset.held;
      trouble.hidden = false;
    }
  }

  /** The options with bytes where JSON has text. */
  function options() {
    const given = JSON.parse(form.dataset.options);
    given.challenge = bytes(given.challenge);
    if (given.user) given.user.id = bytes(given.user.id);
    for (const list of [given.allowCredentials, given.excludeCredentials]) {
      for (const one of list ?? []) one.id = bytes(one.id);
    }
    return given;
  }

  /** An answer with text where the browser has bytes. */
  function inText({ id, rawId, type, response }) {
    const parts = {};
    const names = [
      'attestationObject', 'authenticatorData', 'clientDataJSON', 'signature', 'userHandle',
    ];
    for (const name of names) {
      if (response[name]) parts[name] = text(response[name]);
    }
    return { id, rawId: text(rawId), type, response: parts };
  }

  function bytes(base64url) {
    const base64 = base64url.replaceAll('-', '+').replaceAll('_', '/');
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  }

  function text(buffer) {
    const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte));
    const base64 = btoa(letters.join(''));
    return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  }
})();
