/**
 * The 1,024 words of recovery phrases (spec/vault.md, "Recovery phrase"): English, four to seven letters, told apart by their
 * first four letters, and no two of them one letter apart. The order is the alphabet's and is final: a word's place is its
 * ten bits.
 */
export const WORDS: readonly string[] = `
able above absent accent acid acorn acre across action actor adapt adjust admire adult advice aerial affair
afford after again agent agree ahead aisle album alert alike alley allow almond alone alpha always amber amount
amuse anchor angle animal annual answer antler anvil apart appear apple april apron arch arctic arena argue
arise armor aroma around arrow artist ashes aside asleep aspect assist atlas atom attend attic audio august aunt
author autumn avenue avoid awake award away axis bacon badge bagel baker balcony ballet bamboo banana banjo
banner barely barn barrel basket bathe beach beauty beaver become bedroom beef before begin behave believe below
benefit berry beside beyond bicycle birch bird biscuit bishop blade blanket blend bless bloom blossom blouse
blue board boat body boil bold bonus book boost border borrow botany bottle boulder bounce brain branch brass
brave bread breeze brick bridge brief bright bronze brother brush bubble bucket buddy budget buffalo build bulb
bumper bundle burger burst bustle butter buyer buzz cabin cactus calm camera camp canal candle canoe canvas
canyon captain carbon cargo carpet carrot cashew castle casual cause ceiling celery cellar cement cereal chair
chalk change chapter charm cheese cherry chest chicken chief child chimney choice chorus cinema circle citizen
city civil claim clay clean clever cliff climb clinic clock closet cloud clown club coach coast cobalt coconut
coffee collect column comet comfort common compass concert cone convoy cookie copper coral cosmic cotton country
couple cousin coyote crab cradle craft crane crater crayon cream credit creek crew cricket crisp crop crowd
crumb crystal cube curious curtain curve custom cycle daily dance daring dark dawn dazzle debate decade deer
defend define degree delay deliver demand dentist depart depth desert design desk detail device devote dialog
diamond diary diesel differ digital dinner direct dish divide doctor dollar dolphin domain donate donkey door
double dove dozen dragon drama drawer dress drift drink drive duck dune dust duty dwell eager eagle early earth
easel east echo edge editor effort either elbow elder elegant element else embark emerald emotion employ empty
enable endless endure energy engine enjoy enough enter entire equal equip escape essay estate evening every
evolve exact example excite exist exotic expand extra fabric face factory faint fair faith falcon fall family
famous fancy farm fashion faucet fence fern fetch fiber fiction field fifty figure film filter final finger
finish fire first flag flame fleet flight float flower fluid flute foam focus folder food forest fork format
fortune forward fossil foster found free fresh friend fringe frog front frozen fruit fuel funny furnace furry
future gadget galaxy gallery garage garden garlic gate gather gauge gazelle general genre gentle genuine gesture
giant gift giraffe girl give glad glass gleam glide globe glory gondola goose gorilla gospel gossip govern grape
gravity great green grid grocery group grow guard guest guitar gull habit half hammer hamster hand happy harmony
harp harvest hawk hazel health heart heavy height helium hello helmet help hidden high hill hinge hint hobby
hockey hollow home honey horn horse hotel hour hover huge human humid hundred hurdle husband hybrid icon idea
igloo image immune impact improve inch include indigo indoor infant inform inhale initial input insect inside
intend into invent invite iris island item ivory jacket jaguar jazz jeans jelly jewel jigsaw join joke journey
jovial judge juice july jump jungle junior kayak keen kernel kettle kick kidney kind kitchen kite kiwi knee know
koala label ladder large laser lava leader leaf learn left legend lemon length lens lesson letter level lily
lime linen lion list little lizard load lodge logic long lounge lucky lunar lunch luxury lyric magic magnet
major make mammal mango maple marble margin marina market mascot mask master math meadow medal melody member
menu merit meteor method middle might minute mirror mobile model moment month moon mosaic moss mother motor
mouse movie much muffin mule muscle museum music mutual myself napkin nation nature neat neck nectar needle
nephew nerve never news nice nickel nimble noble noise normal north number nurse nutmeg nylon oasis obey object
oblige obtain ocean octave odor office often olive omit onion online only opera orange orbit organ origin otter
outfit oval oven owner oxygen oyster ozone pack paddle page pagoda palace panda panel paper parade parcel parent
party pass peace peanut pearl pebble pencil people pepper permit person petal phone photo phrase piano picnic
piece pigeon pilot pipe pitch pizza planet plaza please pledge plenty plug pocket poem point polar pole polite
pony poppy potato powder prefer pretty prism prize profit proud public pulse pupil purple puzzle queen quick
quiet quiz quote rabbit radar radio rail rally random rapid rare raven ready reason recall recipe record reduce
region relax remain remedy render repair rescue result return reveal review reward rhythm ribbon rich ring rinse
ripple river robin roof rose rotate rough route royal rubber ruby ruler runway rural rustic safe salad salmon
salt sample satin sauce scale scarf school scout screen script search second secret seed select senior serene
series seven shadow shape shelf shield shine ship shoe short shrimp sierra signal silk silver since siren sister
skate sketch skill skirt slice slope slow small smile smooth snack snail soap soccer social soft solid sonic
sonnet source south space speak spider spirit sponge spoon spread spring square stable stairs stamp step stick
story stove stream strong style submit sudden sugar suit summer sunset super supply sure swan sweet swim switch
symbol syrup system tackle tactic tailor talent target taxi teapot tell temple tennis tent term thank theory
thing three thrive throw thumb ticket tiger timber tiny tissue title today tomato tool topic torch total tower
town track trade travel trend trip trophy trust truth tulip tundra tunnel turnip turtle tutor tweed twelve
twenty twin uncle under unfold unique unit until upbeat uphill upper urban useful usual vacant valid value vault
velvet vendor verb vessel viable video view vine violin visit visual vital vivid vocal voice volume voyage
waffle wagon waist walnut walrus wander washer watch wave west whale wharf wheat wheel wicker wide width wild
willow window winter wisdom wolf world wrap write yacht yard year yellow yogurt yonder young zebra zenith zero
zigzag
`
  .trim()
  .split(/\s+/);
