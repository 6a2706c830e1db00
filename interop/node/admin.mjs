// What a script needs of the admin API.
import { ensure, given } from './browser.mjs';

/** A client with these members, which only an administrator can give. */
export async function createClient(members) {
  const { ADMIN, ADMIN_TOKEN } = given('ADMIN', 'ADMIN_TOKEN');
  const response = await fetch(`${ADMIN}/api/v1/clients`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(members),
  });
  const answer = await response.json();
  ensure(response.status === 201, `registration: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}
